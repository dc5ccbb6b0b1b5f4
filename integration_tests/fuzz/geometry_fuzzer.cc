// Any bytes are a geometry or none, and a geometry becomes GeoJSON.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/invariant.h"
#include "mysql/geometry.h"
#include "rapidjson/document.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace source_vitess;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (!mysql::IsGeometry(bytes)) return 0;
  std::string json;
  mysql::AppendGeoJson(bytes, json);
  rapidjson::Document geometry;
  fuzz::Invariant(!geometry.Parse(json.data(), json.size()).HasParseError() &&
                      geometry.IsObject() && geometry.HasMember("type") &&
                      (geometry.HasMember("coordinates") || geometry.HasMember("geometries")),
                  "a geometry becomes GeoJSON", json);
  return 0;
}
