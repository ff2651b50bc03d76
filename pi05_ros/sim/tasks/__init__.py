"""Tasks of mock homes: texts, rooms and rubrics, by the evaluation of the π0.5 paper."""
