"""Mutation: whether the narrow tests of a module notice when one of its lines is wrong."""
