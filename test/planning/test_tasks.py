"""State of task, subtask and instruction, without ROS."""

from pi05_ros.planning.tasks import CurrentSubtask, TaskKeeper

S = 1_000_000_000


def keeper() -> TaskKeeper:
    made = TaskKeeper()
    made.begin("dishes", 10 * S, None)
    return made


def put(k: TaskKeeper, text: str, now_ns: int) -> CurrentSubtask:
    return k.put(text, (), "model", 0.5, now_ns - S, now_ns)


def test_id_rises_when_the_text_changes_and_only_then():
    k = keeper()
    first, again = put(k, "pick up the cup", 10 * S), put(k, "pick up the cup", 11 * S)
    assert (first.id, again.id, k.since_ns) == (1, 1, 10 * S)
    assert put(k, "put the cup in the sink", 12 * S).id == 2
    assert again.stamp_ns == 10 * S and k.subtask_count == 2 and k.since_ns == 12 * S


def test_the_same_words_for_another_task_are_another_subtask():
    k = keeper()
    first = put(k, "pick up the cup", 10 * S)
    k.begin("tidy up", 11 * S, None)
    assert put(k, "pick up the cup", 12 * S).id == first.id + 1
    assert k.subtask_count == 1


def test_an_operator_overrules_and_hands_back():
    k = keeper()
    said = k.instruct("pick up the fork", 10 * S)
    assert (said.text, said.source, said.task) == ("pick up the fork", "human", "dishes")
    assert k.instruction == "pick up the fork"
    assert k.instruct("", 21 * S) is None and k.instruction == ""


def test_an_operator_can_speak_without_a_task_and_take_it_back():
    k = TaskKeeper()
    assert k.instruct("pick up the fork", S).task == ""
    assert k.instruct("", 2 * S).text == ""


def test_end_gives_an_empty_subtask_that_stops_the_policy():
    k = keeper()
    put(k, "pick up the cup", 11 * S)
    end = k.end(12 * S)
    assert (end.text, end.task, end.id, k.task) == ("", "", 2, None)


def test_time_limit():
    k = TaskKeeper()
    assert not k.out_of_time(10_000 * S)
    k.begin("dishes", 10 * S, 2.5)
    assert not k.out_of_time(12 * S) and k.out_of_time(13 * S)
    assert not keeper().out_of_time(10_000 * S)


def test_ids_go_on_where_an_earlier_keeper_stopped():
    k = TaskKeeper(first_id=7)
    k.begin("dishes", S, None)
    assert put(k, "pick up the cup", 2 * S).id == 7 and k.next_id == 8
