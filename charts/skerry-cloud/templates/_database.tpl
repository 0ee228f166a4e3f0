{{- define "skerry.databaseVolume" -}}
- name: database
  secret:
    {{- if eq .Values.database.mode "external" }}
    secretName: {{ required "database.existingSecret: name the Secret that has the URL of PostgreSQL" .Values.database.existingSecret }}
    {{- else }}
    secretName: {{ include "skerry.fullname" . }}-postgres
    {{- end }}
    defaultMode: 0440
    items:
      - {key: {{ ternary .Values.database.key "url" (eq .Values.database.mode "external") }}, path: url}
{{- end -}}

{{/* Egress rule of those who use the database. */}}
{{- define "skerry.databaseEgress" -}}
{{- if eq .Values.database.mode "bundled" -}}
- to:
    - podSelector:
        matchLabels: {{- include "skerry.selector" (dict "root" . "name" "postgres") | nindent 10 }}
  ports: [{port: 5432}]
{{- else -}}
- ports: {{ include "skerry.ports" (.Values.networkPolicy.databasePorts | default (list 5432 6432)) }}
{{- end -}}
{{- end -}}
