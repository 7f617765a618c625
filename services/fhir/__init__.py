"""Appointments and messages as FHIR R4 resources, for clinic systems that speak it.

It keeps nothing: each request asks the scheduling and status services with the caller's own token,
so who may do what is decided where it always is.
"""
