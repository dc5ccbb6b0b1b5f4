// The certificate authorities that this machine trusts.
#ifndef SOURCE_VITESS_VITESS_TRUSTED_ROOTS_H_
#define SOURCE_VITESS_VITESS_TRUSTED_ROOTS_H_

#include <functional>
#include <span>
#include <string>

#include "absl/status/statusor.h"

namespace source_vitess::vitess {

// Where Linux distributions keep the certificates of public authorities in one file, the most
// common first. gRPC knows fewer of them, and none that was compiled elsewhere.
std::span<const std::string> RootBundles();

// The certificates, PEM text, of the file that the environment names in
// GRPC_DEFAULT_SSL_ROOTS_FILE_PATH or else in SSL_CERT_FILE; where neither is set, of the first of
// `bundles` that there is. `environment` gives a variable's value, null where it is not set, as
// std::getenv does. A configuration error if the named file cannot be read or has no certificate
// in it (no other is looked for then, so that nobody trusts whom they meant to leave out), and if
// there is no bundle.
absl::StatusOr<std::string> ReadTrustedRoots(
    const std::function<const char*(const char* name)>& environment,
    std::span<const std::string> bundles);

}  // namespace source_vitess::vitess

#endif  // SOURCE_VITESS_VITESS_TRUSTED_ROOTS_H_
