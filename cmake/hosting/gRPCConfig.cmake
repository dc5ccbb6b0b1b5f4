# gRPC as `make build_dependencies` installs it: static, and as much of it as source-vitess uses.
include(CMakeFindDependencyMacro)
set(OPENSSL_USE_STATIC_LIBS ON)
find_dependency(absl CONFIG)
find_dependency(c-ares CONFIG)
find_dependency(OpenSSL)
find_dependency(Protobuf)
find_dependency(re2 CONFIG)
find_dependency(Threads)
find_dependency(ZLIB)

get_filename_component(prefix ${CMAKE_CURRENT_LIST_DIR}/../../.. ABSOLUTE)
foreach(library gpr upb address_sorting grpc grpc++)
  if(NOT TARGET gRPC::${library})
    add_library(gRPC::${library} STATIC IMPORTED)
    set_target_properties(gRPC::${library} PROPERTIES
      IMPORTED_LOCATION ${prefix}/lib/lib${library}.a
      INTERFACE_INCLUDE_DIRECTORIES ${prefix}/include)
  endif()
endforeach()
target_link_libraries(gRPC::gpr INTERFACE
  absl::base absl::core_headers absl::cord absl::flat_hash_set absl::memory absl::random_random absl::status absl::str_format
  absl::strings absl::synchronization absl::time absl::optional Threads::Threads ${CMAKE_DL_LIBS} m rt)
target_link_libraries(gRPC::grpc INTERFACE
  gRPC::upb gRPC::address_sorting gRPC::gpr absl::flat_hash_map absl::inlined_vector absl::bind_front absl::hash
  absl::statusor absl::variant absl::utility absl::any_invocable absl::cleanup c-ares::cares re2::re2 OpenSSL::SSL OpenSSL::Crypto
  ZLIB::ZLIB)
target_link_libraries(gRPC::grpc++ INTERFACE gRPC::grpc protobuf::libprotobuf)

if(NOT TARGET gRPC::grpc_cpp_plugin)
  add_executable(gRPC::grpc_cpp_plugin IMPORTED)
  set_target_properties(gRPC::grpc_cpp_plugin PROPERTIES IMPORTED_LOCATION ${prefix}/bin/grpc_cpp_plugin)
endif()
