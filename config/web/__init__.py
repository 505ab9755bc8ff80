"""How requests reach Django: the server's settings, the door in front of it, and the threads behind the door (engine.md)."""
