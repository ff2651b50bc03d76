"""A scripted skill that is learned from pictures: turn the base until a marked door is ahead."""
