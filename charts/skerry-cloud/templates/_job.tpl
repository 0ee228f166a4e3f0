{{/*
A pod of a job: {root, name, script, env, volumes, mounts}. Its ServiceAccount is <fullname>-<name>; the scripts are those
of ConfigMap <fullname>-<name>.
*/}}
{{- define "skerry.jobPod" -}}
{{- $full := printf "%s-%s" (include "skerry.fullname" .root) .name -}}
metadata:
  labels: {{- include "skerry.labels" . | nindent 4 }}
spec:
  restartPolicy: {{ .restart | default "OnFailure" }}
  serviceAccountName: {{ $full }}
  automountServiceAccountToken: {{ ne .name "test" }}
  enableServiceLinks: false
  {{- include "skerry.pullSecrets" .root | nindent 2 }}
  securityContext: {{- include "skerry.podSecurity" .root | nindent 4 }}
  affinity: {{- include "skerry.notOnEdge" .root | nindent 4 }}
  containers:
    - name: {{ .name }}
      image: {{ include "skerry.jobImage" .root | quote }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      command: [/bin/sh, /scripts/{{ .script }}]
      env:
        - {name: NAMESPACE, value: {{ .root.Release.Namespace | quote }}}
        {{- range $key, $value := .env }}
        - {name: {{ $key }}, value: {{ $value | quote }}}
        {{- end }}
      resources: {{- toYaml .root.Values.jobs.resources | nindent 8 }}
      securityContext: {{- include "skerry.containerSecurity" .root | nindent 8 }}
      volumeMounts:
        - {name: scripts, mountPath: /scripts, readOnly: true}
        - {name: tmp, mountPath: /tmp}
        {{- with .mounts }}{{ . | nindent 8 }}{{ end }}
  volumes:
    - name: scripts
      configMap: {name: {{ $full }}}
    - {name: tmp, emptyDir: {sizeLimit: 16Mi}}
    {{- with .volumes }}{{ . | nindent 4 }}{{ end }}
{{- end -}}
