#!/bin/bash
# Stand-in for Kafka's own script of this name.
# shellcheck disable=SC2086 # several options on purpose
exec java ${KAFKA_HEAP_OPTS:-} -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
  --enable-native-access=ALL-UNNAMED -cp '/opt/kafka/libs/*' kafka.Kafka "$@"
