{{/* What can't be installed, each fault as one sentence. What a value may be alone is said in
     values.schema.json; here is what values mean together. */}}
{{- define "einladung.faults" -}}
{{- $values := .Values -}}
{{- $faults := list -}}
{{- if not $values.auth.issuer -}}
{{- $faults = append $faults "auth.issuer is needed: the identity provider's URL." -}}
{{- else if not (hasPrefix "https://" $values.auth.issuer) -}}
{{- $faults = append $faults (printf "auth.issuer has to begin with https://, and is %q." $values.auth.issuer) -}}
{{- end -}}
{{- if not $values.auth.jwks -}}
{{- $faults = append $faults "auth.jwks is needed: the URL of the identity provider's public keys." -}}
{{- end -}}
{{- if not $values.kafka.bootstrap -}}
{{- $faults = append $faults "kafka.bootstrap is needed: host and port of Kafka." -}}
{{- end -}}
{{- if and (eq $values.kafka.security "sasl_ssl") (eq $values.kafka.mechanism "OAUTHBEARER") (not $values.kafka.tokenUrl) -}}
{{- $faults = append $faults "kafka.tokenUrl is needed for kafka.mechanism=OAUTHBEARER." -}}
{{- end -}}
{{- if and (not $values.tls.enabled) (eq $values.network "untrusted") -}}
{{- $faults = append $faults "tls.enabled=false needs network=trusted, which says that a mesh encrypts or nobody else is in the network." -}}
{{- end -}}
{{- if and (or $values.authorities.kafka $values.authorities.peers) (not $values.authorities.configMap) -}}
{{- $faults = append $faults "authorities.kafka and authorities.peers are files of authorities.configMap, which is not named." -}}
{{- end -}}
{{- range $component := include "einladung.components" . | fromJsonArray -}}
{{- $own := get $values $component -}}
{{- if and (has $component (include "einladung.onDatabase" $ | fromJsonArray)) (not $own.secret.name) -}}
{{- $keys := list -}}
{{- range include "einladung.secrets" (dict "root" $ "component" $component) | fromJsonArray -}}
{{- $keys = append $keys (printf "%s_%s" $component .) -}}
{{- end -}}
{{- $faults = append $faults (printf "%s.secret.name is needed: a Secret with the keys %s." $component (join ", " $keys)) -}}
{{- end -}}
{{- if and $values.tls.enabled (not $own.tls.secret) (not $values.tls.certManager.issuer) -}}
{{- $faults = append $faults (printf "%s.tls.secret or tls.certManager.issuer is needed with tls.enabled." $component) -}}
{{- end -}}
{{- if and (eq $values.kafka.security "ssl") (has $component (include "einladung.onKafka" $ | fromJsonArray)) (not $own.kafkaCertificate) -}}
{{- $faults = append $faults (printf "%s.kafkaCertificate is needed for kafka.security=ssl." $component) -}}
{{- end -}}
{{- if and $own.keda $own.autoscaling.enabled -}}
{{- if $own.keda.enabled -}}
{{- $faults = append $faults (printf "%s.autoscaling and %s.keda would both scale it: enable one." $component $component) -}}
{{- end -}}
{{- end -}}
{{- range $by := list "autoscaling" "keda" -}}
{{- with get $own $by -}}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
{{- $faults = append $faults (printf "%s.%s.minReplicas is more than its maxReplicas." $component $by) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with $own.keda -}}
{{- if and .enabled .queueAge.serverAddress (not .queueAge.query) -}}
{{- $faults = append $faults (printf "%s.keda.queueAge.query is needed with its serverAddress." $component) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if not (or $values.hosts.scheduling $values.scheduling.settings.link_base_url) -}}
{{- $faults = append $faults "hosts.scheduling or scheduling.settings.link_base_url is needed: where patients' links lead." -}}
{{- end -}}
{{- if not (or $values.hosts.dashboard $values.dashboard.settings.public_url) -}}
{{- $faults = append $faults "hosts.dashboard or dashboard.settings.public_url is needed: where browsers reach the dashboard." -}}
{{- end -}}
{{- if and $values.fhir.enabled (not (or $values.hosts.fhir $values.fhir.settings.public_url)) -}}
{{- $faults = append $faults "hosts.fhir or fhir.settings.public_url is needed with fhir.enabled: where callers reach it." -}}
{{- end -}}
{{- if and (include "einladung.intake" .) (not $values.notification.settings.intake_allow_from) -}}
{{- $faults = append $faults "notification.settings.intake_allow_from is needed with intake_protocol: the networks of the mail servers." -}}
{{- end -}}
{{- if and $values.migrations.enabled (not $values.migrations.secret) -}}
{{- $faults = append $faults "migrations.secret is needed: a Secret with the keys scheduling_owner, notification_owner, status_owner, webhooks_owner, dashboard_owner." -}}
{{- end -}}
{{- if and $values.gateway.enabled (not $values.gateway.parentRefs) -}}
{{- $faults = append $faults "gateway.parentRefs is needed with gateway.enabled." -}}
{{- end -}}
{{- if and $values.strimzi.enabled (not $values.strimzi.cluster) -}}
{{- $faults = append $faults "strimzi.cluster is needed with strimzi.enabled: the name of the Kafka resource." -}}
{{- end -}}
{{- if $faults -}}
{{- fail (printf "\n%s" (join "\n" $faults)) -}}
{{- end -}}
{{- end }}
