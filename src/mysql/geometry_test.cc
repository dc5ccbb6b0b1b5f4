#include "mysql/geometry.h"

#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace source_vitess::mysql {
namespace {

std::string U32(uint32_t value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
}
std::string F64(double value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
}
std::string XY(double x, double y) { return F64(x) + F64(y); }
std::string Wkb(uint32_t type, const std::string& body) { return '\x01' + U32(type) + body; }

std::string GeoJson(const std::string& value) {
  EXPECT_TRUE(IsGeometry(value));
  std::string out;
  AppendGeoJson(value, out);
  return out;
}

const std::string& NoSrid() {
  static const auto& srid = *new std::string(4, '\0');
  return srid;
}

std::string Ring() { return U32(4) + XY(0, 0) + XY(1, 0) + XY(1, 1) + XY(0, 0); }

// One of each of the seven types.
std::vector<std::string> Samples() {
  const std::string point = Wkb(1, XY(1, 2));
  const std::string line = Wkb(2, U32(2) + XY(0, 0) + XY(1.5, -1));
  const std::string polygon = Wkb(3, U32(1) + Ring());
  return {point,
          line,
          polygon,
          Wkb(4, U32(1) + point),
          Wkb(5, U32(1) + line),
          Wkb(6, U32(1) + polygon),
          Wkb(7, U32(2) + point + Wkb(7, U32(0)))};
}

TEST(GeometryTest, AllSevenTypesBecomeGeoJson) {
  const std::vector<std::string> expected = {
      R"({"type":"Point","coordinates":[1,2]})",
      R"({"type":"LineString","coordinates":[[0,0],[1.5,-1]]})",
      R"({"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]})",
      R"({"type":"MultiPoint","coordinates":[[1,2]]})",
      R"({"type":"MultiLineString","coordinates":[[[0,0],[1.5,-1]]]})",
      R"({"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]]]})",
      R"({"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]},)"
      R"({"type":"GeometryCollection","geometries":[]}]})"};
  const std::vector<std::string> samples = Samples();
  for (size_t i = 0; i < samples.size(); ++i)
    EXPECT_EQ(GeoJson(NoSrid() + samples[i]), expected[i]);
}

TEST(GeometryTest, ASridOtherThanZeroIsNamed) {
  EXPECT_EQ(
      GeoJson(U32(4326) + Wkb(1, XY(1, 2))),
      R"({"type":"Point","crs":{"type":"name","properties":{"name":"EPSG:4326"}},"coordinates":[1,2]})");
}

TEST(GeometryTest, CoordinatesKeepEveryBit) {
  EXPECT_EQ(GeoJson(NoSrid() + Wkb(1, XY(0.1, -1e300))),
            R"({"type":"Point","coordinates":[0.1,-1e+300]})");
}

TEST(GeometryTest, BigEndianIsReadToo) {
  const std::string x = "\x3f\xf0" + std::string(6, '\0');
  EXPECT_EQ(GeoJson(NoSrid() + std::string("\0\0\0\0\x01", 5) + x + x),
            R"({"type":"Point","coordinates":[1,1]})");
}

TEST(GeometryTest, ACutGeometryIsNone) {
  for (const std::string& sample : Samples()) {
    const std::string whole = NoSrid() + sample;
    for (size_t size = 0; size < whole.size(); ++size)
      EXPECT_FALSE(IsGeometry(whole.substr(0, size))) << size;
    EXPECT_FALSE(IsGeometry(whole + '\0'));
  }
}

TEST(GeometryTest, OtherTypesAndNumbersThatAreNoneAreRefused) {
  EXPECT_FALSE(IsGeometry(NoSrid() + Wkb(0, XY(1, 2))));
  EXPECT_FALSE(IsGeometry(NoSrid() + Wkb(8, XY(1, 2))));
  EXPECT_FALSE(IsGeometry(NoSrid() + '\x02' + U32(1) + XY(1, 2)));
  EXPECT_FALSE(IsGeometry(NoSrid() + Wkb(1, XY(1, std::numeric_limits<double>::quiet_NaN()))));
  EXPECT_FALSE(IsGeometry(NoSrid() + Wkb(1, XY(1, std::numeric_limits<double>::infinity()))));
  EXPECT_FALSE(IsGeometry(NoSrid() + Wkb(4, U32(1) + Wkb(2, U32(0)))));
}

TEST(GeometryTest, ACountThatLiesEndsWithTheBytes) {
  EXPECT_FALSE(IsGeometry(NoSrid() + Wkb(2, U32(0xffffffff) + XY(0, 0))));
}

TEST(GeometryTest, NestingHasAnEnd) {
  std::string nested = Wkb(7, U32(0));
  for (int i = 0; i < 200; ++i) nested = Wkb(7, U32(1) + nested);
  EXPECT_FALSE(IsGeometry(NoSrid() + nested));
}

TEST(GeometryTest, WhatIsAGeometryIsJsonWhateverTheBytes) {
  std::mt19937 random(3);
  const std::vector<std::string> samples = Samples();
  for (int round = 0; round < 20000; ++round) {
    std::string value = NoSrid() + samples[random() % samples.size()];
    value[random() % value.size()] = static_cast<char>(random());
    if (!IsGeometry(value)) continue;
    rapidjson::Document document;
    EXPECT_FALSE(document.Parse(GeoJson(value).c_str()).HasParseError());
  }
}

}  // namespace
}  // namespace source_vitess::mysql
