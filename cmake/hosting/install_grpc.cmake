# Installs what source-vitess needs of a gRPC that was built in BUILD from SOURCE: cmake -DSOURCE= -DBUILD= -DPREFIX= -P
foreach(library grpc++ grpc gpr upb address_sorting)
  file(COPY ${BUILD}/lib${library}.a DESTINATION ${PREFIX}/lib)
endforeach()
file(COPY ${BUILD}/grpc_cpp_plugin DESTINATION ${PREFIX}/bin)
file(COPY ${SOURCE}/include/grpc ${SOURCE}/include/grpcpp DESTINATION ${PREFIX}/include)
file(COPY ${CMAKE_CURRENT_LIST_DIR}/gRPCConfig.cmake DESTINATION ${PREFIX}/lib/cmake/grpc)
