// MySQL's geometry values: 4 bytes SRID, little-endian, then well-known binary (WKB).
#ifndef SOURCE_VITESS_MYSQL_GEOMETRY_H_
#define SOURCE_VITESS_MYSQL_GEOMETRY_H_

#include <string>
#include <string_view>

namespace source_vitess::mysql {

// Whether `value` is one whole geometry of the seven types of WKB, with finite coordinates.
bool IsGeometry(std::string_view value);

// Appends `value` as a GeoJSON geometry (RFC 7946), coordinates in the order in which MySQL stores
// them: x, y, which is longitude, latitude for geographic systems. A SRID other than 0 is named in
// a "crs" member
// ("EPSG:4326"), as ST_AsGeoJSON does when it is asked to. REQUIRES: IsGeometry(value).
void AppendGeoJson(std::string_view value, std::string& out);

}  // namespace source_vitess::mysql

#endif  // SOURCE_VITESS_MYSQL_GEOMETRY_H_
