{{- define "skerry.fullname" -}}
{{- if .Values.fullnameOverride -}}{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{- $name := .Values.nameOverride | default .Chart.Name -}}
{{- if contains $name .Release.Name -}}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}{{ printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}{{- end -}}
{{- end -}}
{{- end -}}

{{/* Labels of everything. Takes {root, name}; name is the service's, empty for what belongs to all. */}}
{{- define "skerry.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service | quote }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: skerry
{{ include "skerry.selector" . }}
{{- end -}}

{{- define "skerry.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
{{- with .name }}
app.kubernetes.io/component: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* {root, name}: the image of a service. */}}
{{- define "skerry.image" -}}
{{- $image := .root.Values.image -}}
{{- with $image.registry }}{{ . }}/{{ end }}{{ $image.repository }}/{{ .name }}:{{ $image.tag | default .root.Chart.AppVersion }}
{{- end -}}

{{- define "skerry.jobImage" -}}
{{- .Values.jobs.image | default (include "skerry.image" (dict "root" . "name" "chart-jobs")) -}}
{{- end -}}

{{- define "skerry.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* {root, name}: the names of a Service inside the cluster, as a JSON list. */}}
{{- define "skerry.serviceNames" -}}
{{- $base := printf "%s.%s" .name .root.Release.Namespace -}}
{{- list .name $base (printf "%s.svc" $base) (printf "%s.svc.%s" $base .root.Values.clusterDomain) | toJson -}}
{{- end -}}

{{- define "skerry.hubApiName" -}}
{{ include "skerry.fullname" . }}-cloudhub-svc-api.{{ .Release.Namespace }}.svc
{{- end -}}

{{/* What every pod of the chart has for the level "restricted" of PodSecurity. */}}
{{- define "skerry.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "skerry.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* Edge nodes are nodes of the same cluster: the cloud's pods stay away from them. */}}
{{- define "skerry.notOnEdge" -}}
nodeAffinity:
  requiredDuringSchedulingIgnoredDuringExecution:
    nodeSelectorTerms:
      - matchExpressions:
          - {key: node-role.kubernetes.io/edge, operator: DoesNotExist}
{{- end -}}

{{/* Kubernetes 1.20 has these kinds in beta alone. */}}
{{- define "skerry.cronJobVersion" -}}
{{ semverCompare ">=1.21.0-0" .Capabilities.KubeVersion.Version | ternary "batch/v1" "batch/v1beta1" }}
{{- end -}}

{{- define "skerry.disruptionVersion" -}}
{{ semverCompare ">=1.21.0-0" .Capabilities.KubeVersion.Version | ternary "policy/v1" "policy/v1beta1" }}
{{- end -}}
