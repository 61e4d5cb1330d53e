"""From what is said of an error to the daemon: built, put by, sent, sent again."""
