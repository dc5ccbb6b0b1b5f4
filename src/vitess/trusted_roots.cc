#include "vitess/trusted_roots.h"

#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "text/absl_view.h"
#include "vitess/errors.h"

namespace source_vitess::vitess {
namespace {

constexpr std::string_view kAdvice =
    "give the certificate of the authority that signed VTGate's certificate in the option "
    "ca_certificate of encryption";

// Of a file that can be read and has a certificate in it.
std::optional<std::string> ReadBundle(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  const bool has_certificate =
      content.view().find("-----BEGIN CERTIFICATE-----") != std::string_view::npos;
  return has_certificate ? std::optional(std::move(content).str()) : std::nullopt;
}

}  // namespace

std::span<const std::string> RootBundles() {
  static const auto& bundles = *new std::vector<std::string>{
      "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Alpine, Arch
      "/etc/pki/tls/certs/ca-bundle.crt",                   // Fedora, Red Hat
      "/etc/ssl/ca-bundle.pem",                             // SUSE
      "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // Fedora and Red Hat, later ones
      "/etc/ssl/cert.pem",                                  // Alpine, OpenSSL's own place
      "/usr/share/grpc/roots.pem",                          // comes with gRPC
  };
  return bundles;
}

absl::StatusOr<std::string> ReadTrustedRoots(
    const std::function<const char*(const char* name)>& environment,
    std::span<const std::string> bundles) {
  for (const char* variable : {"GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", "SSL_CERT_FILE"}) {
    const char* const path = environment(variable);
    if (path == nullptr || *path == '\0') continue;
    if (std::optional<std::string> roots = ReadBundle(path)) return *std::move(roots);
    return ConfigurationError(
        absl::StrCat("the environment variable ", variable, " names the file ", path,
                     ", which cannot be read or has no certificate in it; correct or unset it, or ",
                     text::AbslView(kAdvice)));
  }
  for (const std::string& path : bundles) {
    if (std::optional<std::string> roots = ReadBundle(path)) return *std::move(roots);
  }
  return ConfigurationError(absl::StrCat(
      "this machine has no certificates of public authorities to verify the server's with; ",
      text::AbslView(kAdvice),
      ", or name a file of trusted ones in the environment variable SSL_CERT_FILE, or install them "
      "(looked for ",
      absl::StrJoin(bundles, ", "), ")"));
}

}  // namespace source_vitess::vitess
