"""Smoothness where one chunk follows another, measured behind the scheduler and the bridge."""
