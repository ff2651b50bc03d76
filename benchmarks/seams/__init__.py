"""What happens where one chunk follows another: measured behind the real scheduler and bridge."""
