"""Recognisers know a model family: samples → inputs of its graph, outputs → tokens. They know no device."""
