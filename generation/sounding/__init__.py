"""From notes to sound: instruments, the desk, rooms, mastering."""
