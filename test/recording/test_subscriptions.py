"""Subscriptions follow the QoS that publishers offer."""

from pi05_ros.data.bags.qos import OfferedQos
from pi05_ros.recording.subscriptions import Publisher, RequestedQos, SubscriptionTracker
from pi05_ros.recording.topics import TopicChoice, TopicRules

X = "/pi05/x"


def publisher(reliable=True, latched=False, kind="std_msgs/msg/String", type_hash="RIHS01_1"):
    qos = OfferedQos(
        reliability="reliable" if reliable else "best_effort",
        durability="transient_local" if latched else "volatile",
    )
    return Publisher(kind, qos, type_hash)


def joining():
    return SubscriptionTracker(TopicChoice(TopicRules("/pi05")))


def test_the_requested_qos_is_what_every_publisher_offers():
    assert RequestedQos.of([publisher(), publisher()]) == RequestedQos(True, False)
    assert RequestedQos.of([publisher(), publisher(reliable=False)]) == RequestedQos(False, False)
    assert RequestedQos.of([publisher(latched=True)]) == RequestedQos(True, True)
    assert RequestedQos.of([publisher(latched=True), publisher()]) == RequestedQos(True, False)


def test_a_topic_is_subscribed_once_with_the_offered_qos():
    state = joining()
    first = publisher(latched=True)
    (join,) = state.update({X: [first]})
    assert (join.topic, join.type, join.type_hash) == (X, "std_msgs/msg/String", "RIHS01_1")
    assert join.requested == RequestedQos(True, True)
    assert join.qos == (first.qos,)
    assert state.update({X: [first]}) == []


def test_a_late_topic_is_subscribed_and_one_without_publishers_is_not():
    state = joining()
    assert state.update({X: []}) == []
    assert [j.topic for j in state.update({X: [publisher()]})] == [X]


def test_a_topic_whose_publishers_change_their_qos_is_subscribed_again():
    state = joining()
    state.update({X: [publisher()]})
    (again,) = state.update({X: [publisher(reliable=False)]})
    assert again.requested == RequestedQos(False, False)
    assert state.joined[X] == again


def test_the_subscription_stays_when_a_publisher_goes():
    state = joining()
    (join,) = state.update({X: [publisher()]})
    assert state.update({}) == []
    assert state.joined == {X: join}
    assert state.update({X: [publisher()]}) == []


def test_several_publishers_at_a_time_are_remembered():
    state = joining()
    state.update({X: [publisher()]})
    assert state.several == set()
    state.update({X: [publisher(), publisher()]})
    state.update({X: [publisher()]})
    assert state.several == {X}


def test_another_type_is_reported_and_not_recorded():
    state = joining()
    state.update({X: [publisher()]})
    assert state.update({X: [publisher(kind="a/msg/B")]}) == []
    assert state.problems == {X: "its type changed from std_msgs/msg/String to a/msg/B"}


def test_a_refused_topic_is_not_tried_again_and_stays_reported():
    state = joining()
    state.update({X: [publisher()]})
    state.refuse(X, "its type is not installed here")
    assert state.joined == {}
    assert state.problems == {X: "its type is not installed here"}
    assert state.update({X: [publisher()]}) == []
    assert state.problems == {X: "its type is not installed here"}
