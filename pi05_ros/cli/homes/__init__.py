"""The verb `pi05 homes`: training data from mock homes."""
