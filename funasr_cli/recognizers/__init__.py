"""Recognisers implement a model family: samples → inputs of its graph, outputs → tokens. They do not know devices."""
