"""The process that runs one step: started by the daemon, it outlives nothing and reaps all. Standard library only."""
