# Brings the CustomResourceDefinitions to what this version of the chart has: /crds/*.json. Helm never changes one that
# is there. A merge patch leaves what others added (labels, a conversion webhook), and replaces the versions whole.
. "${SCRIPTS:-/scripts}/api.sh"
definitions=/apis/apiextensions.k8s.io/v1/customresourcedefinitions
for file in "${CRDS:-/crds}"/*.json; do
  name=$(basename "$file" .json)
  code=$(api PATCH "$definitions/$name" "$file" application/merge-patch+json)
  [ "$code" != 404 ] || code=$(api POST "$definitions" "$file")
  case $code in
    200 | 201) echo "definition is up to date: $name" ;;
    *) fail "write definition $name" "$code" ;;
  esac
done
