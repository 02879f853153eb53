"""The peers, each in the way its documentation shows; run by the interpreter that has it."""
