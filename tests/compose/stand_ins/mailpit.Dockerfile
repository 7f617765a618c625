# Stand-in for axllent/mailpit:…: built from its Go module, which lacks the page, not the API.
FROM scratch
COPY mailpit /mailpit
EXPOSE 1025/tcp 8025/tcp
HEALTHCHECK --interval=15s --start-period=10s CMD ["/mailpit", "readyz"]
ENTRYPOINT ["/mailpit"]
