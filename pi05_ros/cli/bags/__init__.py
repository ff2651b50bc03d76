"""The verb `pi05 bags`: list, check, show, repair, grade and convert recorded episodes."""
