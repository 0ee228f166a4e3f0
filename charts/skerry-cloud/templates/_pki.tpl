{{/*
Who issues: certManager, job or existing. A CA that is there is never replaced, because every box would have to join
again: "auto" goes on with what made it, and a mode that would make another one is refused.
*/}}
{{- define "skerry.pkiMode" -}}
{{- $mode := .Values.pki.mode -}}
{{- $there := (lookup "v1" "Secret" .Release.Namespace (printf "%s-ca" (include "skerry.fullname" .))) -}}
{{- $keys := (($there | default dict).data | default dict) -}}
{{- $maker := "" -}}
{{- if hasKey $keys "ca.key" }}{{ $maker = "job" }}{{ else if hasKey $keys "tls.key" }}{{ $maker = "certManager" }}{{ end -}}
{{- $manager := .Capabilities.APIVersions.Has "cert-manager.io/v1" -}}
{{- if eq $mode "auto" -}}
{{- $mode = $maker | default (ternary "certManager" "job" $manager) -}}
{{- end -}}
{{- if and (eq $mode "certManager") (eq $maker "job") -}}
{{- fail (printf "pki.mode: certManager would make a new CA beside that of Secret %s-ca, and every box would have to join again; use job" (include "skerry.fullname" .)) -}}
{{- end -}}
{{- if and (ne $mode "certManager") (eq $maker "certManager") -}}
{{- fail (printf "pki.mode: %s does not know the CA of Secret %s-ca, which cert-manager made; use certManager" $mode (include "skerry.fullname" .)) -}}
{{- end -}}
{{- $mode -}}
{{- end -}}

{{/* The clients of the hubs, as JSON: {file: {cn, org, names}}. The same as cloudhub-svc's own list (join/hub_pki.cc). */}}
{{- define "skerry.pkiClients" -}}
{{- $full := include "skerry.fullname" . -}}
{{- $clients := dict -}}
{{- $_ := set $clients "edge-controller" (dict "cn" "system:edge-controller" "org" "skerry:controllers" "names" (include "skerry.serviceNames" (dict "root" . "name" (printf "%s-edge-controller-svc" $full)) | fromJsonArray)) -}}
{{- $_ := set $clients "device-controller" (dict "cn" "system:device-controller" "org" "skerry:controllers" "names" (concat (include "skerry.serviceNames" (dict "root" . "name" (printf "%s-device-controller-svc" $full)) | fromJsonArray) .Values.deviceController.hosts)) -}}
{{- if .Values.router.enabled -}}
{{- $_ := set $clients "router" (dict "cn" "system:router" "org" "skerry:controllers" "names" (concat (include "skerry.serviceNames" (dict "root" . "name" (printf "%s-router-svc" $full)) | fromJsonArray) .Values.router.hosts)) -}}
{{- end -}}
{{- $_ := set $clients "operator" (dict "cn" "skerry:operator" "org" "skerry:operators" "names" list) -}}
{{- $clients | toJson -}}
{{- end -}}

{{/* Volume of the CA with its key, as tls.ca_dir wants it: for hubs alone. */}}
{{- define "skerry.caVolume" -}}
- name: ca
  secret:
    secretName: {{ include "skerry.fullname" . }}-ca
    defaultMode: 0440
    items:
      {{- if eq (include "skerry.pkiMode" .) "certManager" }}
      - {key: tls.crt, path: ca.crt}
      - {key: tls.key, path: ca.key}
      {{- else }}
      - {key: ca.crt, path: ca.crt}
      - {key: ca.key, path: ca.key}
      {{- end }}
{{- end -}}
