# A component is a folder of src/: one static library, and one test program made of the *_test.cc files beside the
# sources.
#
#   source_vitess_component(NAME SOURCES file... DEPENDS target... [TESTS file_test.cc...])
set_property(GLOBAL PROPERTY source_vitess_components "")
set_property(GLOBAL PROPERTY source_vitess_test_components "")

function(source_vitess_component name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;TESTS" ${ARGN})
  set(library source_vitess_${name})
  add_library(${library} STATIC ${ARG_SOURCES})
  set_property(GLOBAL APPEND PROPERTY source_vitess_components ${library})
  target_include_directories(${library} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${library} PUBLIC ${ARG_DEPENDS} PRIVATE source_vitess_warnings)
  if(ARG_TESTS)
    list(TRANSFORM ARG_TESTS PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
    set_property(GLOBAL APPEND PROPERTY source_vitess_test_components ${name})
    set_property(GLOBAL PROPERTY source_vitess_tests_of_${name} "${ARG_TESTS}")
  endif()
endfunction()

# Makes the test program of every component that has tests, registered with ctest under the label "unit".
function(source_vitess_add_unit_tests)
  get_property(components GLOBAL PROPERTY source_vitess_test_components)
  foreach(name IN LISTS components)
    get_property(tests GLOBAL PROPERTY source_vitess_tests_of_${name})
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE source_vitess_${name} GTest::gmock_main source_vitess_warnings)
    target_compile_definitions(${name}_test PRIVATE SOURCE_VITESS_ROOT="${PROJECT_SOURCE_DIR}")
    gtest_discover_tests(${name}_test PROPERTIES LABELS unit TIMEOUT 120 DISCOVERY_TIMEOUT 60)
  endforeach()
endfunction()
