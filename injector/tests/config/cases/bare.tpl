spec:
  containers:
  - name: istio-proxy
    image: {{ .Values.image }}
    args:
    {{- range $name := .Spec.Nope }}
    - {{ $name }}
    {{- end }}
