"""What stands between a room and an update that could end the process."""
