"""The APIs that existing clients speak, one module each: our values in their shapes. No Django here."""
