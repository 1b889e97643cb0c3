"""Groups whose account is moved by what an accredited guide signed, as long as they consent."""
