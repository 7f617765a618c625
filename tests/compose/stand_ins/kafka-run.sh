#!/bin/bash
# Stand-in: KAFKA_LOG_DIRS becomes log.dirs and so on, as in the official image; then format, run.
set -euo pipefail
settings=/opt/kafka/config/server.properties
: >"$settings"
while IFS='=' read -r name value; do
  case "$name" in
    KAFKA_HEAP_OPTS) ;;
    KAFKA_*) name=${name#KAFKA_} name=${name//_/.} && echo "${name,,}=$value" >>"$settings" ;;
  esac
done < <(env)
java() {
  # shellcheck disable=SC2086 # several options on purpose
  command java ${KAFKA_HEAP_OPTS:-} -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
    --enable-native-access=ALL-UNNAMED -cp '/opt/kafka/libs/*' "$@"
}
java kafka.tools.StorageTool format --ignore-formatted \
  --cluster-id "${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}" --config "$settings"
# shellcheck disable=SC2086
exec java ${KAFKA_HEAP_OPTS:-} -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
  --enable-native-access=ALL-UNNAMED -cp '/opt/kafka/libs/*' kafka.Kafka "$settings"
