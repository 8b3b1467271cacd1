"""Where signals come from: one file a format, one generator, and the catalog of both."""
