"""The learned spatializer: a mixture of several sounding objects, each sent to its own place."""
