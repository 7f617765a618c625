{{/* What the templates share. Names of components are those of the services. */}}

{{- define "einladung.components" -}}
["dashboard", "scheduling", "notification", "status", "webhooks"{{ if .Values.fhir.enabled }}, "fhir"{{ end }}]
{{- end }}

{{/* Those that log in to Kafka, and those that have a database. */}}
{{- define "einladung.onKafka" -}}
["scheduling", "notification", "status", "webhooks"]
{{- end }}

{{- define "einladung.onDatabase" -}}
["dashboard", "scheduling", "notification", "status", "webhooks"]
{{- end }}

{{/* From the code, by „make generate": required secrets, topics, and who may do what with them. */}}
{{- define "einladung.contract" -}}
{{ .Files.Get "files/contract.json" }}
{{- end }}

{{- define "einladung.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end }}

{{/* Of .root and .component. */}}
{{- define "einladung.name" -}}
{{ include "einladung.fullname" .root }}-{{ .component }}
{{- end }}

{{- define "einladung.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "einladung.labels" -}}
{{ include "einladung.selector" . }}
app.kubernetes.io/part-of: einladung
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "einladung.port" -}}
{{ get (dict "dashboard" "8400" "scheduling" "8401" "notification" "8402" "status" "8403" "webhooks" "8404" "fhir" "8405") . }}
{{- end }}

{{- define "einladung.operationsPort" -}}
{{ add (include "einladung.port" . | int) 10 }}
{{- end }}

{{- define "einladung.image" -}}
{{ .root.Values.image.repository }}/{{ .component }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{/* Where a service is reached by the others. */}}
{{- define "einladung.url" -}}
{{ ternary "https" "http" .root.Values.tls.enabled }}://{{ include "einladung.name" . }}:{{ include "einladung.port" .component }}
{{- end }}

{{- define "einladung.tlsSecret" -}}
{{ get (get .root.Values .component).tls "secret" | default (printf "%s-tls" (include "einladung.name" .)) }}
{{- end }}

{{/* Names of the secret settings that a component's Secret has to hold, as a JSON list. */}}
{{- define "einladung.secrets" -}}
{{- $values := get .root.Values .component -}}
{{- $names := get (include "einladung.contract" .root | fromJson).secrets .component -}}
{{- if has .component (include "einladung.onKafka" .root | fromJsonArray) -}}
{{- if and (eq .root.Values.kafka.security "sasl_ssl") (eq .root.Values.kafka.mechanism "OAUTHBEARER") -}}
{{- $names = append $names "kafka_client_secret" -}}
{{- else if eq .root.Values.kafka.security "sasl_ssl" -}}
{{- $names = append $names "kafka_password" -}}
{{- end -}}
{{- end -}}
{{- concat $names (dig "secret" "more" list $values) | uniq | toJson -}}
{{- end }}

{{/* The settings of a component that are no secrets, as YAML: those that follow from the chart's
     values, and over them its own. */}}
{{- define "einladung.settings" -}}
{{- $values := .root.Values -}}
{{- $settings := dict
  "environment" "production"
  "network" $values.network
  "host" "0.0.0.0"
  "port" (include "einladung.port" .component)
  "operations_host" "0.0.0.0"
  "operations_port" (include "einladung.operationsPort" .component) -}}
{{- if ne .component "fhir" -}}
{{- $_ := set $settings "auth_issuer" $values.auth.issuer -}}
{{- end -}}
{{- if $values.tls.enabled -}}
{{- $_ := set $settings "tls_certificate_file" "/etc/einladung/tls/tls.crt" -}}
{{- $_ := set $settings "tls_key_file" "/etc/einladung/tls/tls.key" -}}
{{- if $values.tls.mutual -}}
{{- $_ := set $settings "tls_client_ca_file" "/etc/einladung/tls/ca.crt" -}}
{{- end -}}
{{- end -}}
{{- if $values.authorities.peers -}}
{{- $_ := set $settings "tls_ca_file" (printf "/etc/einladung/authorities/%s" $values.authorities.peers) -}}
{{- else if $values.tls.enabled -}}
{{- $_ := set $settings "tls_ca_file" "/etc/einladung/tls/ca.crt" -}}
{{- end -}}
{{- if eq .component "dashboard" -}}
{{- range list "scheduling" "notification" "status" -}}
{{- $_ := set $settings (printf "%s_url" .) (include "einladung.url" (dict "root" $.root "component" .)) -}}
{{- end -}}
{{- if $values.hosts.dashboard -}}
{{- $_ := set $settings "public_url" (printf "https://%s" $values.hosts.dashboard) -}}
{{- end -}}
{{- else if eq .component "fhir" -}}
{{- range list "scheduling" "status" -}}
{{- $_ := set $settings (printf "%s_url" .) (include "einladung.url" (dict "root" $.root "component" .)) -}}
{{- end -}}
{{- if $values.hosts.fhir -}}
{{- $_ := set $settings "public_url" (printf "https://%s" $values.hosts.fhir) -}}
{{- end -}}
{{- else -}}
{{- $_ := set $settings "auth_jwks" $values.auth.jwks -}}
{{- $_ := set $settings "kafka_bootstrap" $values.kafka.bootstrap -}}
{{- $_ := set $settings "kafka_security" $values.kafka.security -}}
{{- if $values.authorities.kafka -}}
{{- $_ := set $settings "kafka_ca_file" (printf "/etc/einladung/authorities/%s" $values.authorities.kafka) -}}
{{- end -}}
{{- if eq $values.kafka.security "ssl" -}}
{{- $_ := set $settings "kafka_cert_file" "/etc/einladung/kafka/tls.crt" -}}
{{- $_ := set $settings "kafka_key_file" "/etc/einladung/kafka/tls.key" -}}
{{- else -}}
{{- $_ := set $settings "kafka_mechanism" $values.kafka.mechanism -}}
{{- if eq $values.kafka.mechanism "OAUTHBEARER" -}}
{{- $_ := set $settings "kafka_client_id" .component -}}
{{- $_ := set $settings "kafka_token_url" $values.kafka.tokenUrl -}}
{{- if $values.kafka.scope -}}
{{- $_ := set $settings "kafka_scope" $values.kafka.scope -}}
{{- end -}}
{{- else -}}
{{- $_ := set $settings "kafka_username" .component -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if eq .component "scheduling" -}}
{{- $_ := set $settings "status_url" (include "einladung.url" (dict "root" .root "component" "status")) -}}
{{- if $values.dashboard.settings.public_url -}}
{{- $_ := set $settings "dashboard_url" $values.dashboard.settings.public_url -}}
{{- else if $values.hosts.dashboard -}}
{{- $_ := set $settings "dashboard_url" (printf "https://%s" $values.hosts.dashboard) -}}
{{- end -}}
{{- if $values.hosts.scheduling -}}
{{- $_ := set $settings "link_base_url" (printf "https://%s/besuch" $values.hosts.scheduling) -}}
{{- end -}}
{{- end -}}
{{- if eq .component "notification" -}}
{{- $_ := set $settings "intake_host" "0.0.0.0" -}}
{{- $_ := set $settings "intake_port" "8424" -}}
{{- if $values.hosts.notification -}}
{{- $_ := set $settings "sms_receipts_url" (printf "https://%s" $values.hosts.notification) -}}
{{- end -}}
{{- end -}}
{{- if has .component (list "status" "webhooks") -}}
{{- $url := include "einladung.url" (dict "root" .root "component" "scheduling") -}}
{{- $_ := set $settings "api_keys_jwks" (printf "%s/v1/jwks" $url) -}}
{{- end -}}
{{- range $name, $value := (get $values .component).settings -}}
{{- $_ := set $settings $name $value -}}
{{- end -}}
{{- toYaml $settings -}}
{{- end }}

{{/* The same, named and written as variables. */}}
{{- define "einladung.variables" -}}
{{- range $name, $value := include "einladung.settings" . | fromYaml }}
{{ printf "%s_%s" $.component $name | upper }}: {{ kindIs "string" $value | ternary $value ($value | toJson) | quote }}
{{- end }}
{{- with .root.Values.proxies }}
FORWARDED_ALLOW_IPS: {{ join "," . | quote }}
{{- end }}
{{- with .root.Values.telemetry.endpoint }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ . | quote }}
OTEL_TRACES_SAMPLER: parentbased_traceidratio
OTEL_TRACES_SAMPLER_ARG: {{ $.root.Values.telemetry.ratio | toJson | quote }}
{{- end }}
{{- end }}

{{/* Whether notification takes what mail servers hand over. */}}
{{- define "einladung.intake" -}}
{{ ne (.Values.notification.settings.intake_protocol | default "none") "none" | ternary "yes" "" }}
{{- end }}

{{- define "einladung.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "einladung.containerSecurity" -}}
readOnlyRootFilesystem: true
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
{{- end }}

{{/* Where pods of every kind are put. */}}
{{- define "einladung.placement" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Whom a policy lets go where: of .to and .ports. */}}
{{- define "einladung.egress" -}}
- ports:
    {{- range .ports }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
  {{- with .to }}
  to: {{ toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "einladung.dns" -}}
- ports:
    {{- range .ports }}
    - {port: {{ . }}, protocol: UDP}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
  {{- with .to }}
  to: {{ toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
