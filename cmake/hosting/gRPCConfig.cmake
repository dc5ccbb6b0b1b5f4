# gRPC as `make build_dependencies` installs it: what compiling source-vitess needs of it. What linking needs,
# cmake/StaticProgram.cmake knows.
get_filename_component(prefix ${CMAKE_CURRENT_LIST_DIR}/../../.. ABSOLUTE)
if(NOT TARGET gRPC::grpc++)
  add_library(gRPC::grpc++ STATIC IMPORTED)
  set_target_properties(gRPC::grpc++ PROPERTIES
    IMPORTED_LOCATION ${prefix}/lib/libgrpc++.a
    INTERFACE_INCLUDE_DIRECTORIES ${prefix}/include)
  add_executable(gRPC::grpc_cpp_plugin IMPORTED)
  set_target_properties(gRPC::grpc_cpp_plugin PROPERTIES IMPORTED_LOCATION ${prefix}/bin/grpc_cpp_plugin)
endif()
unset(prefix)
