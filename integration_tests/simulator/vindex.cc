#include "simulator/vindex.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <bit>
#include <memory>

#include "absl/strings/escaping.h"
#include "simulator/strings.h"

namespace source_vitess::simulator {
namespace {

std::string BigEndian(uint64_t number) {
  std::string bytes(8, '\0');
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(number >> (56 - 8 * i));
  return bytes;
}

// Triple DES with three null keys is DES with a null key: OpenSSL 3 offers only the former without
// its legacy provider.
std::string DesWithNullKey(std::string_view block) {
  constexpr std::array<unsigned char, 24> kNullKeys{};
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  std::string encrypted(16, '\0');
  int size = 0;
  EVP_EncryptInit_ex(context.get(), EVP_des_ede3_ecb(), nullptr, kNullKeys.data(), nullptr);
  EVP_CIPHER_CTX_set_padding(context.get(), 0);
  EVP_EncryptUpdate(context.get(), reinterpret_cast<unsigned char*>(encrypted.data()), &size,
                    reinterpret_cast<const unsigned char*>(block.data()),
                    static_cast<int>(block.size()));
  encrypted.resize(static_cast<size_t>(size));
  return encrypted;
}

constexpr uint64_t kPrime1 = 0x9E3779B185EBCA87;
constexpr uint64_t kPrime2 = 0xC2B2AE3D27D4EB4F;
constexpr uint64_t kPrime3 = 0x165667B19E3779F9;
constexpr uint64_t kPrime4 = 0x85EBCA77C2B2AE63;
constexpr uint64_t kPrime5 = 0x27D4EB2F165667C5;

uint64_t LittleEndian(std::string_view bytes) {
  uint64_t number = 0;
  for (size_t i = 0; i < bytes.size(); ++i)
    number |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
  return number;
}

uint64_t Round(uint64_t accumulator, uint64_t lane) {
  return std::rotl(accumulator + lane * kPrime2, 31) * kPrime1;
}

uint64_t MergeRound(uint64_t hash, uint64_t lane) {
  return (hash ^ Round(0, lane)) * kPrime1 + kPrime4;
}

// Takes whole stripes of 32 bytes from the front of `bytes`.
uint64_t HashStripes(std::string_view& bytes) {
  std::array<uint64_t, 4> lanes = {kPrime1 + kPrime2, kPrime2, 0, 0 - kPrime1};
  while (bytes.size() >= 32) {
    for (size_t i = 0; i < 4; ++i) lanes[i] = Round(lanes[i], LittleEndian(bytes.substr(8 * i, 8)));
    bytes.remove_prefix(32);
  }
  uint64_t hash = std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) +
                  std::rotl(lanes[3], 18);
  for (const uint64_t lane : lanes) hash = MergeRound(hash, lane);
  return hash;
}

}  // namespace

uint64_t Xxhash64(std::string_view bytes) {
  const size_t size = bytes.size();
  uint64_t hash = size >= 32 ? HashStripes(bytes) : kPrime5;
  hash += size;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    hash = std::rotl(hash ^ Round(0, LittleEndian(bytes.substr(0, 8))), 27) * kPrime1 + kPrime4;
  }
  for (; bytes.size() >= 4; bytes.remove_prefix(4)) {
    hash = std::rotl(hash ^ LittleEndian(bytes.substr(0, 4)) * kPrime1, 23) * kPrime2 + kPrime3;
  }
  for (const char c : bytes)
    hash = std::rotl(hash ^ static_cast<unsigned char>(c) * kPrime5, 11) * kPrime1;
  hash = (hash ^ hash >> 33) * kPrime2;
  hash = (hash ^ hash >> 29) * kPrime3;
  return hash ^ hash >> 32;
}

absl::StatusOr<VindexType> ParseVindexType(std::string_view name) {
  if (name == "hash") return VindexType::kHash;
  if (name == "xxhash") return VindexType::kXxhash;
  if (name == "binary") return VindexType::kBinary;
  if (name == "numeric") return VindexType::kNumeric;
  return absl::InvalidArgumentError(Cat("vindexType \"", name, "\" not found"));
}

absl::StatusOr<std::string> KeyspaceId(VindexType type, std::string_view value) {
  if (type == VindexType::kBinary) return std::string(value);
  if (type == VindexType::kXxhash) {
    std::string id = BigEndian(Xxhash64(value));
    std::reverse(id.begin(), id.end());
    return id;
  }
  int64_t number = 0;
  uint64_t positive = 0;
  if (ParseInteger(value, &number)) {
    positive = static_cast<uint64_t>(number);
  } else if (!ParseInteger(value, &positive)) {
    return absl::InvalidArgumentError(Cat("could not parse value: '", value, "'"));
  }
  return type == VindexType::kNumeric ? BigEndian(positive) : DesWithNullKey(BigEndian(positive));
}

absl::StatusOr<KeyRange> KeyRange::Parse(std::string_view shard) {
  KeyRange range;
  const size_t dash = shard.find('-');
  if (dash == std::string_view::npos) {
    if (shard == "0") return range;
    return absl::InvalidArgumentError(Cat("shard name '", shard, "' is no key range"));
  }
  const std::string_view begin = shard.substr(0, dash);
  const std::string_view end = shard.substr(dash + 1);
  for (const std::string_view bound : {begin, end}) {
    const bool hex = std::all_of(bound.begin(), bound.end(), [](char c) {
      return absl::ascii_isxdigit(static_cast<unsigned char>(c));
    });
    if (!hex || bound.size() % 2 != 0) {
      return absl::InvalidArgumentError(Cat("shard name '", shard, "' is no key range"));
    }
  }
  range.begin = absl::HexStringToBytes(AbslView(begin));
  range.end = absl::HexStringToBytes(AbslView(end));
  return range;
}

bool KeyRange::Contains(std::string_view keyspace_id) const {
  return keyspace_id >= begin && (end.empty() || keyspace_id < end);
}

bool KeyRange::Intersects(const KeyRange& other) const {
  return (end.empty() || other.begin < end) && (other.end.empty() || begin < other.end);
}

}  // namespace source_vitess::simulator
