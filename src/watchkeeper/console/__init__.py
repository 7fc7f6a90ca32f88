"""The web interface: pages made on the server from the records and telemetry, with islands where a picture helps."""
