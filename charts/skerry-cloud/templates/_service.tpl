{{/*
What a service of Skerry is in a cluster: ServiceAccount, configuration, Deployment, PodDisruptionBudget and
NetworkPolicy. Takes a dict:
  root, name        the chart's context; the service's name, as of its image
  values            its part of the values
  replicas          how many
  single            whether two may never run at the same time
  api               whether it calls the Kubernetes API
  config            its settings, as a dict: what all have is added, .values.config is merged over it
  ports             containerPorts by name
  volumes, mounts   YAML; beside configuration and state
  env               YAML
  ingress, egress   YAML of further rules of the NetworkPolicy
*/}}
{{- define "skerry.service" -}}
{{- $root := .root -}}
{{- $full := printf "%s-%s" (include "skerry.fullname" $root) .name -}}
{{- $common := dict "log" (dict "level" $root.Values.logLevel) "ops" (dict "listen" "0.0.0.0:9100") "process" (dict "drain_timeout" .values.drainTimeout) -}}
{{- $config := mergeOverwrite $common .config (deepCopy .values.config) -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $full }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "skerry.labels" . | nindent 4 }}
automountServiceAccountToken: false
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $full }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "skerry.labels" . | nindent 4 }}
data:
  {{ .name }}.yaml: |
    {{- toYaml $config | nindent 4 }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $full }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "skerry.labels" . | nindent 4 }}
spec:
  replicas: {{ .replicas }}
  revisionHistoryLimit: 3
  selector:
    matchLabels: {{- include "skerry.selector" . | nindent 6 }}
  strategy:
    {{- if .single }}
    type: Recreate
    {{- else }}
    type: RollingUpdate
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}
    {{- end }}
  template:
    metadata:
      labels: {{- include "skerry.labels" . | nindent 8 }}
      annotations:
        checksum/config: {{ toYaml $config | sha256sum }}
        {{- with .values.podAnnotations }}{{ toYaml . | nindent 8 }}{{ end }}
    spec:
      serviceAccountName: {{ $full }}
      automountServiceAccountToken: {{ .api }}
      enableServiceLinks: false
      {{- include "skerry.pullSecrets" $root | nindent 6 }}
      securityContext: {{- include "skerry.podSecurity" $root | nindent 8 }}
      terminationGracePeriodSeconds: 60
      affinity:
        {{- include "skerry.notOnEdge" $root | nindent 8 }}
        podAntiAffinity:
          preferredDuringSchedulingIgnoredDuringExecution:
            - weight: 100
              podAffinityTerm:
                topologyKey: kubernetes.io/hostname
                labelSelector:
                  matchLabels: {{- include "skerry.selector" . | nindent 20 }}
            - weight: 50
              podAffinityTerm:
                topologyKey: topology.kubernetes.io/zone
                labelSelector:
                  matchLabels: {{- include "skerry.selector" . | nindent 20 }}
      {{- with .values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: {{ .name }}
          image: {{ include "skerry.image" . | quote }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          args: ["--config=/etc/skerry/{{ .name }}.yaml"]
          {{- with .env }}
          env: {{- . | nindent 12 }}
          {{- end }}
          ports:
            {{- range $port, $number := .ports }}
            - {name: {{ $port }}, containerPort: {{ $number }}, protocol: TCP}
            {{- end }}
            - {name: ops, containerPort: 9100, protocol: TCP}
          # The gRPC ports speak mTLS, which the kubelet's gRPC probe does not: /readyz says the same. /livez answers while a service waits
          # for its database, too, which is up to two minutes.
          startupProbe:
            httpGet: {path: /livez, port: ops}
            periodSeconds: 2
            failureThreshold: 60
          livenessProbe:
            httpGet: {path: /livez, port: ops}
            periodSeconds: 10
            timeoutSeconds: 5
            failureThreshold: 6
          readinessProbe:
            httpGet: {path: /readyz, port: ops}
            periodSeconds: 5
            timeoutSeconds: 3
          resources: {{- toYaml .values.resources | nindent 12 }}
          securityContext: {{- include "skerry.containerSecurity" $root | nindent 12 }}
          volumeMounts:
            - {name: config, mountPath: /etc/skerry/{{ .name }}.yaml, subPath: {{ .name }}.yaml, readOnly: true}
            - {name: state, mountPath: /var/lib/skerry}
            - {name: tmp, mountPath: /tmp}
            {{- .mounts | nindent 12 }}
      volumes:
        - name: config
          configMap: {name: {{ $full }}}
        # Nothing that has to outlive the pod: that is in PostgreSQL, Secrets and the Kubernetes API.
        - {name: state, emptyDir: {sizeLimit: 1Gi}}
        - {name: tmp, emptyDir: {sizeLimit: 64Mi}}
        {{- .volumes | nindent 8 }}
{{- if gt (int .replicas) 1 }}
---
apiVersion: {{ include "skerry.disruptionVersion" $root }}
kind: PodDisruptionBudget
metadata:
  name: {{ $full }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "skerry.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  selector:
    matchLabels: {{- include "skerry.selector" . | nindent 6 }}
{{- end }}
{{- if $root.Values.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ $full }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "skerry.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels: {{- include "skerry.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        - podSelector:
            matchLabels: {{- include "skerry.selector" (dict "root" $root "name" "test") | nindent 14 }}
        {{- toYaml ($root.Values.networkPolicy.monitoring | default (list (dict "namespaceSelector" dict))) | nindent 8 }}
      ports: [{port: 9100}]
    {{- with .ingress }}{{ . | nindent 4 }}{{ end }}
  egress:
    - ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
    {{- if .api }}
    # The Kubernetes API: its address is no pod's.
    - ports: {{ include "skerry.ports" ($root.Values.networkPolicy.apiPorts | default (list 443 6443)) }}
    {{- end }}
    {{- with .egress }}{{ . | nindent 4 }}{{ end }}
{{- end }}
{{- end -}}

{{/* Ports of a NetworkPolicy's rule, as JSON; takes their numbers. */}}
{{- define "skerry.ports" -}}
{{- $ports := list -}}
{{- range . }}{{ $ports = append $ports (dict "port" (int .)) }}{{ end -}}
{{- $ports | toJson -}}
{{- end -}}

{{/* {root, name, type, ports: {name: number}}: a Service of a service's pods. */}}
{{- define "skerry.clusterService" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "skerry.fullname" .root }}-{{ .name }}
  namespace: {{ .root.Release.Namespace }}
  labels: {{- include "skerry.labels" . | nindent 4 }}
spec:
  selector: {{- include "skerry.selector" . | nindent 4 }}
  ports:
    {{- range $port, $number := .ports }}
    - {name: {{ $port }}, port: {{ $number }}, targetPort: {{ $port }}, protocol: TCP}
    {{- end }}
    - {name: ops, port: 9100, targetPort: ops, protocol: TCP}
{{- end -}}

{{/* {root, client}: volume with a controller's certificate, mounted at /etc/skerry/tls. */}}
{{- define "skerry.clientVolume" -}}
- name: tls
  secret: {secretName: {{ include "skerry.fullname" .root }}-{{ .client }}-tls, defaultMode: 0440}
{{- end -}}

{{/* The settings of every controller about hubs, as JSON. */}}
{{- define "skerry.hubSettings" -}}
{{- $hub := dict "addresses" (list (printf "dns:///%s:10005" (include "skerry.hubApiName" .))) "server_name" (include "skerry.hubApiName" .) -}}
{{- $tls := dict "ca" "/etc/skerry/tls/ca.crt" "cert" "/etc/skerry/tls/tls.crt" "key" "/etc/skerry/tls/tls.key" -}}
{{- dict "hub" $hub "tls" $tls | toJson -}}
{{- end -}}

{{/* The settings of what takes callers' tokens, as JSON. */}}
{{- define "skerry.auth" -}}
{{- $bearer := .Values.auth.bearer -}}
{{- if $bearer.enabled -}}
{{- dict "auth" (dict "bearer" $bearer) | toJson -}}
{{- else -}}
{}
{{- end -}}
{{- end -}}

{{- define "skerry.hubEgress" -}}
- to:
    - podSelector:
        matchLabels: {{- include "skerry.selector" (dict "root" . "name" "cloudhub-svc") | nindent 10 }}
  ports: [{port: 10005}]
{{- end -}}

{{/* Peers that call APIs of the release: {root, peers}. */}}
{{- define "skerry.callers" -}}
- podSelector:
    matchLabels: {{- include "skerry.selector" (dict "root" .root "name" "") | nindent 6 }}
{{- with .peers }}
{{ toYaml . }}
{{- end }}
{{- end -}}
