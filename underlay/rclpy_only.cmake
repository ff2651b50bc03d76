# Leaves the C++ generators out of the interface packages' builds from wheels: rclpy uses the C
# messages and their type supports only. ./pi05 passes this file as CMAKE_PROJECT_INCLUDE; a colcon
# build on a distribution does not, and generates everything.
#
# rosidl_generate_interfaces() runs the generators that their packages have registered at an
# extension point when find_package() loaded them. The packages must be found all the same, since
# the C type support of Fast DDS links to libraries of the C++ one. So only the registration is left out.

find_package(ament_cmake_core REQUIRED)

macro(ament_register_extension extension_point package cmake_file)
  if(NOT "${extension_point}" STREQUAL "rosidl_generate_idl_interfaces"
      OR NOT "${package}" MATCHES "_cpp$")
    _ament_register_extension("${extension_point}" "${package}" "${cmake_file}")
  endif()
endmacro()
