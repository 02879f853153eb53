"""What a release is made with: the build, its checks, the bill of materials, the notes."""
