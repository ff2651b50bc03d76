"""The queue between the subscriptions and the disk."""

import threading

import pytest

from pi05_ros.recording.queue import Message, QueueLimits, WritingQueue

LIMITS = QueueLimits(total_bytes=1000, small_reserve_bytes=300, large_bytes=100, overhead_bytes=10)


def message(size, topic="/x", sequence=0):
    return Message(topic, bytes(size), 1, 2, sequence)


def filled(*sizes):
    queue = WritingQueue(LIMITS)
    return queue, [queue.put(message(size)) for size in sizes]


def test_messages_come_out_as_they_went_in():
    queue = WritingQueue()
    for number in range(5):
        assert queue.put(message(3, sequence=number))
    assert [m.sequence for m in queue.take(1 << 20, 0.0)] == [0, 1, 2, 3, 4]
    assert queue.take(1 << 20, 0.0) == []


def test_its_bytes_include_the_overhead_of_a_message():
    queue, _ = filled(90, 90)
    assert queue.bytes == 200
    queue.take(1, 0.0)
    assert queue.bytes == 100


def test_large_messages_go_first_and_small_ones_keep_their_reserve():
    queue, taken = filled(340, 340, 340)  # 350 each; large messages may fill 700.
    assert taken == [True, True, False]
    assert [queue.put(message(90)) for _ in range(4)] == [True, True, True, False]
    assert queue.bytes == 1000


def test_small_messages_take_room_from_large_ones():
    queue, _ = filled(*[90] * 7)
    assert not queue.put(message(100))
    assert queue.put(message(90))


def test_a_message_larger_than_the_queue_passes_alone():
    queue, taken = filled(5000, 100)
    assert taken == [True, False]
    assert len(queue.take(1, 0.0)) == 1


def test_a_batch_ends_with_the_message_that_fills_it():
    queue, _ = filled(90, 90, 90)
    assert len(queue.take(150, 0.0)) == 2
    assert len(queue.take(150, 0.0)) == 1


def test_a_closed_queue_refuses_messages():
    queue, _ = filled(50)
    queue.close()
    assert queue.bytes == 0
    assert not queue.put(message(1))
    assert queue.take(1, 0.0) == []


def test_a_waiting_writer_is_woken():
    queue = WritingQueue()
    got = []
    thread = threading.Thread(target=lambda: got.extend(queue.take(1, 30.0)))
    thread.start()
    queue.put(message(1))
    thread.join(10.0)
    assert len(got) == 1


def test_limits_that_contradict_each_other_are_refused():
    with pytest.raises(ValueError, match="small_reserve_bytes"):
        QueueLimits(total_bytes=10, small_reserve_bytes=10)
