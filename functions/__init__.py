"""The Lambda functions: parse, call one use case, render."""
