//! Plans, interlocks, the judge and the decision what to do next: pure.
