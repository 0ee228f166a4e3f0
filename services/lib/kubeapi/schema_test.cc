#include "services/lib/kubeapi/schema.h"

#include <gtest/gtest.h>

#include "services/lib/kubeapi/built_in.h"
#include "services/lib/kubeapi/quantity.h"
#include "services/lib/kubeapi/schema_text.h"

namespace skerry::kubeapi {
namespace {

const Schema& PodSchema() {
  static const auto* const registry = new auto(MakeBuiltInRegistry().value());
  return *(*registry)->Find("", "v1", "pods")->schema;
}

SchemaPtr Structural(const char* text) { return ParseStructural(Json::parse(text)).value(); }

std::vector<std::string> Complaints(const Schema& schema, Dialect dialect, const char* value) {
  std::vector<FieldError> errors;
  Validate(schema, dialect, Json::parse(value), "", errors);
  std::vector<std::string> texts;
  for (const FieldError& error : errors) texts.push_back(error.field + ": " + error.message);
  return texts;
}

using Texts = std::vector<std::string>;

TEST(SchemaTest, PrunesAndNamesWhatItDoesNotKnow) {
  Json pod = Json::parse(R"({"kind":"Pod","metadata":{"name":"a","creationTimestamp":null,"foo":1},
      "spec":{"containers":[{"name":"a","imagee":"x","resources":{"limits":{"cpu":1}}}],"bar":{}}})");
  std::vector<std::string> unknown;
  PruneUnknown(PodSchema(), Dialect::kGo, pod, unknown);
  EXPECT_EQ(unknown, (Texts{"metadata.foo", "spec.bar", "spec.containers[0].imagee"}));
  EXPECT_EQ(pod, Json::parse(R"({"kind":"Pod","metadata":{"name":"a"},
      "spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":"1"}}}]}})"));
}

TEST(SchemaTest, RefusesWrongTypesInGosWords) {
  const auto said = [](const char* pod) {
    return std::string(CheckTypes(PodSchema(), Json::parse(pod)).message());
  };
  EXPECT_EQ(said(R"({"spec":{"containers":[{"ports":[{"containerPort":"x"}]}]}})"),
            "json: cannot unmarshal string into Go struct field "
            "ContainerPort.spec.containers.ports.containerPort of type int32");
  EXPECT_EQ(said(R"({"spec":{"containers":{}}})"),
            "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type "
            "[]Container");
  EXPECT_EQ(said(R"({"metadata":{"labels":{"a":1}}})"),
            "json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels.a of "
            "type string");
  EXPECT_NE(said(R"({"spec":{"priority":3000000000}})"), "");
  EXPECT_NE(said(R"({"metadata":{"creationTimestamp":"yesterday"}})"), "");
  EXPECT_NE(said(R"({"spec":{"containers":[{"resources":{"limits":{"cpu":"much"}}}]}})"), "");
  EXPECT_EQ(
      said(
          R"({"spec":{"containers":[{"livenessProbe":{"httpGet":{"port":"http"}}}],"priority":null}})"),
      "");
}

TEST(SchemaTest, FillsDefaultsInsideWhatIsThere) {
  Json pod = Json::parse(
      R"({"spec":{"containers":[{"name":"a","ports":[{"containerPort":1}],"livenessProbe":{}}]}})");
  ApplyDefaults(PodSchema(), Dialect::kGo, pod);
  const Json& container = pod["spec"]["containers"][0];
  EXPECT_EQ(container["ports"][0]["protocol"], "TCP");
  EXPECT_EQ(container["livenessProbe"]["failureThreshold"], 3);
  EXPECT_FALSE(container.contains("readinessProbe"));
  EXPECT_EQ(pod["spec"]["restartPolicy"], "Always");
  Json empty = Json::object();
  ApplyDefaults(PodSchema(), Dialect::kGo, empty);
  EXPECT_EQ(empty, Json::object());
}

TEST(SchemaTest, ComplainsInKubernetesWords) {
  EXPECT_EQ(Complaints(PodSchema(), Dialect::kGo,
                       R"({"spec":{"containers":[{"name":""}],"restartPolicy":"No"}})"),
            (Texts{"spec.containers[0].name: Required value",
                   "spec.restartPolicy: Unsupported value: \"No\": supported values: \"Always\", "
                   "\"Never\", \"OnFailure\""}));
}

TEST(SchemaTest, StopsComplainingAtItsBound) {
  Json list = Json::array();
  for (int i = 0; i < 500; ++i) list.push_back(Json::object());
  std::vector<FieldError> errors;
  Validate(PodSchema(), Dialect::kGo, {{"spec", {{"containers", list}}}}, "", errors);
  EXPECT_LE(errors.size(), kFieldErrorsMax);
}

TEST(StructuralSchemaTest, ValidatesEveryKeyword) {
  const SchemaPtr schema = Structural(R"({"type":"object","required":["a"],"properties":{
      "a":{"type":"integer","minimum":1,"exclusiveMaximum":true,"maximum":10},
      "s":{"type":"string","minLength":2,"maxLength":3,"pattern":"^x"},
      "e":{"enum":["p","q"],"type":"string"},
      "l":{"type":"array","maxItems":2,"uniqueItems":true,"items":{"type":"number","multipleOf":0.5}},
      "m":{"type":"object","additionalProperties":{"type":"boolean"},"maxProperties":1},
      "i":{"x-kubernetes-int-or-string":true},
      "n":{"type":"string","nullable":true},
      "t":{"type":"string","format":"date-time"},
      "o":{"type":"object","oneOf":[{"required":["x"]},{"required":["y"]}],"properties":{"x":{"type":"string"},"y":{"type":"string"}}}}})");
  const auto count = [&](const char* value) {
    return Complaints(*schema, Dialect::kStructural, value).size();
  };
  EXPECT_EQ(
      count(
          R"({"a":1,"s":"xy","e":"p","l":[0.5,1],"m":{"k":true},"i":"50%","n":null,"t":"2026-01-01T00:00:00Z","o":{"x":"1"}})"),
      0u);
  EXPECT_EQ(count(R"({"a":1,"i":5})"), 0u);
  for (const char* wrong :
       {R"({})", R"({"a":0})", R"({"a":10})", R"({"a":1.5})", R"({"a":1,"s":"x"})",
        R"({"a":1,"s":"xxxx"})", R"({"a":1,"s":"yy"})", R"({"a":1,"e":"r"})",
        R"({"a":1,"l":[1,2,3]})", R"({"a":1,"l":[1,1]})", R"({"a":1,"l":[0.3]})",
        R"({"a":1,"m":{"k":1}})", R"({"a":1,"m":{"k":true,"j":true}})", R"({"a":1,"i":1.5})",
        R"({"a":1,"t":"noon"})", R"({"a":1,"o":{"x":"1","y":"2"}})", R"({"a":1,"o":{}})"}) {
    EXPECT_EQ(count(wrong), 1u) << wrong;
  }
}

TEST(StructuralSchemaTest, PrunesButKeepsWhatIsToBePreserved) {
  const SchemaPtr schema = Structural(R"({"type":"object","properties":{
      "spec":{"type":"object","properties":{"a":{"type":"string"},
        "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true,"properties":{"strict":{"type":"object"}}}}}}})");
  Json object = Json::parse(R"({"apiVersion":"v","kind":"k","metadata":{"name":"x"},
      "spec":{"a":null,"b":1,"free":{"x":{"y":1},"strict":{"z":1}}},"other":1})");
  std::vector<std::string> unknown;
  PruneUnknown(*schema, Dialect::kStructural, object, unknown);
  EXPECT_EQ(unknown, (Texts{"other", "spec.b", "spec.free.strict.z"}));
  EXPECT_EQ(object["spec"], Json::parse(R"({"free":{"x":{"y":1},"strict":{}}})"));
  EXPECT_EQ(object["metadata"]["name"], "x");
}

TEST(StructuralSchemaTest, RefusesWhatItCannotUse) {
  for (const char* wrong :
       {R"({"type":"thing"})", R"({"type":"array"})", R"([])",
        R"({"type":"object","properties":{"a":{"type":"string","pattern":"("}}})"}) {
    EXPECT_FALSE(ParseStructural(Json::parse(wrong)).ok()) << wrong;
  }
}

TEST(TypeTextTest, NamesTheLineThatIsWrong) {
  TypeTable types;
  EXPECT_EQ(ParseTypes("package p\ntype A\n  a strin\n", types).message(),
            "line 3: unknown type strin");
  EXPECT_FALSE(ParseTypes("  a string\n", types).ok());
  EXPECT_FALSE(ParseTypes("package p\ntype A\n  a string #1\n  b string #1\n", types).ok());
  EXPECT_FALSE(ParseTypes("package p\ntype A\n  a string shiny\n", types).ok());
}

TEST(QuantityTest, IsCanonical) {
  const std::pair<const char*, const char*> cases[] = {
      {"1", "1"},           {"0.5", "500m"},
      {"1000m", "1"},       {"1024Mi", "1Gi"},
      {"1500Mi", "1500Mi"}, {"1000", "1k"},
      {"0", "0"},           {"100k", "100k"},
      {"-1", "-1"},         {"1e3", "1e3"},
      {"1.5Gi", "1.5Gi"},   {"0.1", "100m"},
      {"2500m", "2500m"},   {"128974848", "128974848"},
      {"1Ei", "1Ei"}};
  for (const auto& [text, want] : cases)
    EXPECT_EQ(CanonicalQuantity(text).value_or("none"), want) << text;
  for (const char* wrong : {"", "x", "1x", "1.2.3", "Mi", "1 Gi", "1ee3", "-", "1mm"}) {
    EXPECT_FALSE(CanonicalQuantity(wrong).has_value()) << wrong;
  }
}

}  // namespace
}  // namespace skerry::kubeapi
