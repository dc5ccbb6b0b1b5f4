#include "mysql/geometry.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace source_vitess::mysql {
namespace {

enum WkbType : uint32_t {
  kPoint = 1,
  kLineString = 2,
  kPolygon = 3,
  kMultiPoint = 4,
  kMultiLineString = 5,
  kMultiPolygon = 6,
  kGeometryCollection = 7,
};

constexpr std::array<std::string_view, 8> kNames = {
    "",           "Point",           "LineString",   "Polygon",
    "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"};

// MySQL nests collections no deeper than its parser's stack; GeoJSON has no use for more.
constexpr int kMaxDepth = 100;

// Reads WKB from the front. Appends GeoJSON to `out` unless that is null: then it only checks.
class WkbReader {
 public:
  WkbReader(std::string_view wkb, std::string* out) : left_(wkb), out_(out) {}

  // One geometry with its header; of the type `only`, unless that is 0.
  bool Geometry(uint32_t only, int depth, std::string_view crs) {
    uint32_t type = 0;
    if (!Header(type) || (only != 0 && type != only)) return false;
    Append("{\"type\":\"");
    Append(kNames[type]);
    Append("\",");
    if (!crs.empty()) {
      Append("\"crs\":{\"type\":\"name\",\"properties\":{\"name\":\"EPSG:");
      Append(crs);
      Append("\"}},");
    }
    Append(type == kGeometryCollection ? "\"geometries\":" : "\"coordinates\":");
    if (!Body(type, depth)) return false;
    Append("}");
    return true;
  }

  bool at_end() const { return left_.empty(); }

 private:
  void Append(std::string_view text) {
    if (out_ != nullptr) out_->append(text);
  }

  template <typename T>
  bool Take(T& value) {
    if (left_.size() < sizeof(T)) return false;
    std::array<char, sizeof(T)> bytes;
    std::memcpy(bytes.data(), left_.data(), sizeof(T));
    if (big_endian_) std::reverse(bytes.begin(), bytes.end());
    std::memcpy(&value, bytes.data(), sizeof(T));
    left_.remove_prefix(sizeof(T));
    return true;
  }

  bool Header(uint32_t& type) {
    if (left_.empty() || static_cast<unsigned char>(left_.front()) > 1) return false;
    big_endian_ = left_.front() == 0;
    left_.remove_prefix(1);
    return Take(type) && type >= kPoint && type <= kGeometryCollection;
  }

  bool Body(uint32_t type, int depth) {
    switch (type) {
      case kPoint:
        return Position();
      case kLineString:
        return Positions();
      case kPolygon:
        return Rings();
      case kMultiPoint:
        return Each([&] { return Part(kPoint); });
      case kMultiLineString:
        return Each([&] { return Part(kLineString); });
      case kMultiPolygon:
        return Each([&] { return Part(kPolygon); });
      default:
        return depth < kMaxDepth && Each([&] { return Geometry(0, depth + 1, {}); });
    }
  }

  // A part of a multi-geometry: a geometry with its header, of which GeoJSON takes the coordinates.
  bool Part(uint32_t type) {
    uint32_t found = 0;
    return Header(found) && found == type && Body(type, 0);
  }

  bool Positions() {
    return Each([&] { return Position(); });
  }
  bool Rings() {
    return Each([&] { return Positions(); });
  }

  // A count, and so many elements. A count that lies ends with the bytes.
  template <typename Element>
  bool Each(Element element) {
    uint32_t count = 0;
    if (!Take(count)) return false;
    Append("[");
    for (uint32_t i = 0; i < count; ++i) {
      if (i > 0) Append(",");
      if (!element()) return false;
    }
    Append("]");
    return true;
  }

  bool Position() {
    double x = 0;
    double y = 0;
    if (!Take(x) || !Take(y) || !std::isfinite(x) || !std::isfinite(y)) return false;
    Append("[");
    AppendNumber(x);
    Append(",");
    AppendNumber(y);
    Append("]");
    return true;
  }

  void AppendNumber(double number) {
    if (out_ == nullptr) return;
    std::array<char, 32> text;
    const char* const end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
    out_->append(text.data(), static_cast<size_t>(end - text.data()));
  }

  std::string_view left_;
  std::string* out_;
  bool big_endian_ = false;
};

constexpr size_t kSridSize = 4;

uint32_t SridOf(std::string_view value) {
  uint32_t srid = 0;
  for (size_t i = 0; i < kSridSize; ++i) {
    srid |= uint32_t{static_cast<unsigned char>(value[i])} << (8 * i);
  }
  return srid;
}

}  // namespace

bool IsGeometry(std::string_view value) {
  if (value.size() < kSridSize) return false;
  WkbReader reader(value.substr(kSridSize), nullptr);
  return reader.Geometry(0, 0, {}) && reader.at_end();
}

void AppendGeoJson(std::string_view value, std::string& out) {
  const uint32_t srid = SridOf(value);
  const std::string crs = srid == 0 ? "" : std::to_string(srid);
  WkbReader reader(value.substr(kSridSize), &out);
  reader.Geometry(0, 0, crs);
}

}  // namespace source_vitess::mysql
