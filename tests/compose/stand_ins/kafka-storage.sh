#!/bin/bash
# Stand-in for Kafka's own script of this name.
exec java -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp '/opt/kafka/libs/*' \
  kafka.tools.StorageTool "$@"
