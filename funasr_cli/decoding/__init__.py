"""From the scores of a CTC graph to tokens. Knows neither vocabulary nor device."""
