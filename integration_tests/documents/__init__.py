"""What the documents tell people to run is run."""
